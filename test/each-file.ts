import { afterAll, beforeAll } from 'vitest'
import { forgetEnv } from '@/lib/env'
import './end-with-runner'

// Files share a process, and what they have imported: none sees the settings of another.
const before = { ...process.env }
beforeAll(forgetEnv)
afterAll(() => {
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name]
  Object.assign(process.env, before)
  forgetEnv()
})
