/**
 * A small project in the task protocol's form, with the habits of real ones: phases with and without their number, text
 * after a list item, inputs in every spelling, a directory among the outputs, an input that nobody makes, files that are
 * no tasks.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

const FILES: Record<string, string> = {
  'README.md': '# About these tasks\n',
  '00-TASK-GRAPH.md': '# The graph\n',
  'TEMPLATE-feature.md': '---\ntask_id: "02-planning/XX"\n---\n',
  '00-setup/RULES.md': '# Rules\n',
  '01-analysis/01-count.md': `---
task_id: "01-analysis/01-count"
title: "Count what is there"
phase: "analysis"
estimated_duration: "1-2 hours"
dependencies: []
inputs: []
outputs:
  - "counts.json"
  - "samples/"
---

# Count

Count the files.
`,
  '01-analysis/02-sort.md': `---
task_id: "01-analysis/02-sort"
phase: "01-analysis"
estimated_duration: "2-3 hours"
dependencies:
  - "01-analysis/01-count"
inputs:
  - "../01-count/counts.json"
outputs:
  - "sorted.md"
---
Sort them.
`,
  '02-planning/01-choose.md': `---
task_id: "02-planning/01-choose"
phase: "planning"
estimated_duration: "1-1 hours"
dependencies: ["01-analysis/02-sort"]
inputs:
  - "../../01-analysis/02-sort/sorted.md"
  - "../01-analysis/02-sort/nobody-writes-this.json"
outputs: ["choice.md"]
---
Choose.
`,
  '03-implementation/01-build.md': `---
task_id: "03-implementation/01-build"
phase: "03-implementation"
estimated_duration: "4-6 hours"
dependencies:
  - "02-planning/01-choose"
inputs:
  - "workspace/outputs/02-planning/01-choose/choice.md"
outputs:
  - "lib/build.txt" (new)
  - "workspace/outputs/03-implementation/01-build/report.md"
priority: "high"
---
Build.
`,
  '03-implementation/02-paint.md': `---
task_id: "03-implementation/02-paint"
phase: "03-implementation"
estimated_duration: "1-2 hours"
dependencies:
  - "02-planning/01-choose"
outputs:
  - "paint.md"
---
Paint.
`,
  '04-validation/01-prove.md': `---
task_id: "04-validation/01-prove"
phase: "validation"
estimated_duration: "1-3 hours"
dependencies:
  - "03-implementation/01-build"
  - "03-implementation/02-paint"
inputs:
  - "lib/*.txt"
outputs:
  - "workspace/outputs/04-validation/01-prove/proof.json"
---
Prove.
`,
};

/** Writes the folder `tasks` into a project. @returns its path */
export async function writeTaskFolder(projectDir: string): Promise<string> {
  for (const [name, text] of Object.entries(FILES)) {
    const file = path.join(projectDir, 'tasks', name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  return path.join(projectDir, 'tasks');
}
