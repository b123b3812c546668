import { context, diag, metrics, propagation, trace } from '@opentelemetry/api'
import { afterAll } from 'vitest'
import { forgetEnv } from '@/lib/env'
import './end-with-runner'

// Files share a process, and what they have imported: none sees the settings of another, or is measured by its telemetry.
const before = { ...process.env }
afterAll(() => {
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name]
  Object.assign(process.env, before)
  forgetEnv()
  for (const api of [context, diag, metrics, propagation, trace]) api.disable()
})
