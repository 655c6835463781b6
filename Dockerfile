# planq as an image: `docker run --rm -v "$PWD:/project" planq <command>`.
#
# A worker runs what plans tell it to run. Agents that need more than Node, git or a coding-agent CLI for instance, come
# from an image of your own that starts FROM this one.

FROM node:20.20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY src src
RUN npm run --silent build && npm prune --omit=dev --no-audit --no-fund

FROM node:20.20-bookworm-slim
# tini reaps what agents leave behind; Node as process 1 does not.
RUN apt-get update \
  && apt-get install -y --no-install-recommends tini \
  && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production
COPY --from=build /app/package.json /app/package.json
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/dist /app/dist
COPY schema /app/schema
RUN ln -s /app/dist/bin/planq.cjs /usr/local/bin/planq && mkdir /project && chown node:node /project
USER node
# The project folder is mounted here: plans, workspace and outputs are read and written in it.
WORKDIR /project
ENTRYPOINT ["tini", "-s", "--", "node", "/app/dist/bin/planq.cjs"]
CMD ["worker"]
