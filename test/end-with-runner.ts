import { exitOnSignals } from './support/interrupted'

// In each process that runs tests: it ends with the one that started it, and then so does what it has started.
process.once('disconnect', () => process.exit(1))
exitOnSignals()
