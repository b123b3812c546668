// `prisma generate` wants to download an engine that it does not need: pointing it at any executable is enough.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const cli = new URL('../node_modules/prisma/build/index.js', import.meta.url)
if (!existsSync(cli)) {
  console.error('prisma is not installed: run `npm install` without --omit=dev.')
  process.exit(1)
}
const { status } = spawnSync(process.execPath, [cli.pathname, 'generate', '--no-hints'], {
  stdio: ['ignore', 'ignore', 'inherit'],
  env: {
    ...process.env,
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    CHECKPOINT_DISABLE: '1',
  },
})
process.exit(status ?? 1)
