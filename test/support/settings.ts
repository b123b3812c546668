import { forgetEnv } from '@/lib/env'

/** What seals the receivers of tests. */
export const CREDENTIALS_KEY = 'ab'.repeat(32)

/** A console that may tell receivers on this machine. */
export const TELLING_HERE = {
  IDEMSCOPE_CREDENTIALS_KEY: CREDENTIALS_KEY,
  IDEMSCOPE_OUTBOUND_ALLOW: '127.0.0.1/32',
}

/** Settings of the console until this test file ends, whoever has read them before. */
export function setSettings(settings: Record<string, string>): void {
  Object.assign(process.env, settings)
  forgetEnv()
}
