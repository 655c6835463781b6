import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { listRepository, readRepository } from '../support/repository.ts';

interface ComposeService {
  image?: string;
  build?: string;
  command?: string[];
  environment?: Record<string, string>;
  user?: string;
  volumes?: string[];
  ports?: string[];
  container_name?: string;
  privileged?: boolean;
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
  stop_grace_period?: string;
}

const { services, volumes } = parse(readRepository('docker-compose.yml')) as {
  services: Record<'redis' | 'worker', ComposeService>;
  volumes: Record<string, unknown>;
};

describe('docker-compose.yml', () => {
  it('has a Redis that keeps what it acknowledged and evicts nothing', () => {
    const argv = services.redis.command!.join(' ');
    expect(argv).toMatch(/^redis-server\b/);
    expect(argv).toContain('--appendonly yes');
    expect(argv).toContain('--appendfsync everysec');
    expect(argv).toContain('--maxmemory-policy noeviction');
    const [volume, place] = services.redis.volumes![0]!.split(':');
    expect(place).toBe('/data');
    expect(volumes).toHaveProperty(volume!);
  });

  it('lets workers wait until Redis answers', () => {
    expect(services.redis.healthcheck!.test).toEqual(['CMD', 'redis-cli', 'ping']);
    expect(services.worker.depends_on).toEqual({ redis: { condition: 'service_healthy' } });
    expect(services.worker.environment!.REDIS_URL).toBe('redis://redis:6379');
  });

  it('opens no port', () => {
    expect(Object.values(services).map(({ ports }) => ports)).toEqual([undefined, undefined]);
  });

  it('has a worker that scales: no name and no port of its own, one shared project folder', () => {
    expect(services.worker).not.toHaveProperty('container_name');
    expect(services.worker.volumes).toEqual(['./:/project']);
    expect(services.worker.build).toBe('.');
  });

  it('runs the worker as an ordinary user and leaves it time to drain', () => {
    expect(services.worker.user).toBe(['$', '{PLANQ_UID:-1000}:', '$', '{PLANQ_GID:-1000}'].join(''));
    expect(services.worker).not.toHaveProperty('privileged');
    expect(Number.parseInt(services.worker.stop_grace_period!, 10)).toBeGreaterThan(30);
  });
});

describe('the Dockerfile', () => {
  const stages = readRepository('Dockerfile')
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split(/^(?=FROM )/m)
    .filter((stage) => stage.startsWith('FROM '))
    .map((stage) => stage.trim().split(/\n+/));
  const final = stages.at(-1)!;
  const lastOf = (word: string): string | undefined => final.filter((line) => line.startsWith(`${word} `)).at(-1);

  it('builds in one stage from the lock file and ships another', () => {
    expect(stages).toHaveLength(2);
    expect(stages[0]!.some((line) => line.startsWith('RUN npm ci'))).toBe(true);
    expect(stages[0]!.join('\n')).toContain('npm prune --omit=dev');
    expect(final.join('\n')).not.toMatch(/npm (ci|install)/);
  });

  it('starts from a Node that planq runs on, by exact name', () => {
    for (const [from] of stages) expect(from).toMatch(/^FROM node:20\.20-\S+( AS \w+)?$/);
  });

  it('runs under an init, as an ordinary user, in the project folder', () => {
    expect(lastOf('USER')).toBe('USER node');
    expect(lastOf('WORKDIR')).toBe('WORKDIR /project');
    expect(lastOf('ENTRYPOINT')).toBe('ENTRYPOINT ["tini", "-s", "--", "node", "/app/dist/bin/planq.cjs"]');
    expect(lastOf('CMD')).toBe('CMD ["worker"]');
    expect(final).toContain('ENV NODE_ENV=production');
  });

  it('copies only what the build may see and what is there', () => {
    const visible = readRepository('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'));
    const copied = stages
      .flat()
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
      .flatMap((line) => line.split(' ').slice(1, -1));
    expect(copied.map((name) => `!${name}`).sort()).toEqual(visible.sort());
    const files = listRepository();
    for (const name of copied) expect(files.some((file) => file === name || file.startsWith(`${name}/`))).toBe(true);
  });
});
