import { startProvider } from '../../demo/provider/server'

// A provider in a process of its own, for tests that kill it. Prints its port.
const provider = await startProvider({
  port: 0,
  dataDir: process.argv[2] ?? '',
  readKey: 'rk_test_read',
  writeKey: 'sk_test_write',
  seed: 'seed',
})
process.stdout.write(String(provider.port))
