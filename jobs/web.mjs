// The console: Next's standalone server, on PORT. Build it first with `npm run build`.
import { existsSync } from 'node:fs'

const server = new URL('../.next/standalone/server.js', import.meta.url)
if (!existsSync(server)) {
  console.error('The console is not built. Run `npm run build` first.')
  process.exit(1)
}
process.env.NODE_ENV = 'production'
process.env.HOSTNAME = process.env.IDEMSCOPE_HOST ?? '127.0.0.1'
process.env.PORT ??= '3000'
// On SIGTERM, and without its supervisor, an open request gets three seconds: a live stream never ends by itself.
process.once('SIGTERM', () => setTimeout(() => process.exit(0), 3_000).unref())
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
await import(server.href)
