import { forgetEnv } from '@/lib/env'

/** Settings of the console until this test file ends, whoever has read them before. */
export function setSettings(settings: Record<string, string>): void {
  Object.assign(process.env, settings)
  forgetEnv()
}
