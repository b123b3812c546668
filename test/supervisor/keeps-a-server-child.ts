import { startEmbeddedPostgres } from '@/jobs/supervisor/embedded/postgres'
import { exitOnSignals } from '../support/interrupted'

/** Starts a server in the folder it is given, says so, and ends without stopping it. */
const [folder = ''] = process.argv.slice(2)
exitOnSignals()
await startEmbeddedPostgres(folder)
process.on('message', () => process.exit(0))
process.send?.('started')
