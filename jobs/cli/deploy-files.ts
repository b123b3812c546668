import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { deployFiles } from '../deploy/files'

// `npm run deploy-files`: rules for Prometheus and dashboards for Grafana, from the console's own definitions.

for (const [path, text] of deployFiles()) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  console.log(path)
}
