import { register } from 'node:module'

// The emulator imports node:sqlite, which Node 20 does not have, for persistence that is not used here.
const source = `export const resolve = (specifier, context, next) => specifier === 'node:sqlite'
  ? { url: 'data:text/javascript,export class DatabaseSync {}', shortCircuit: true } : next(specifier, context)`
register(`data:text/javascript,${encodeURIComponent(source)}`)
const { startFauxqs } = await import('fauxqs')
const server = await startFauxqs({ port: 0, logger: false })
process.on('disconnect', () => process.exit(0))
process.send?.({ port: server.port })
