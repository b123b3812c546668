import type { RunKind } from '@/lib/core/states'
import type { RunHandler } from '@/lib/runs/handle'
import { run as bulk } from './bulk'
import { run as collection } from './collection'
import { run as conditions } from './conditions'
import { run as effectDetection } from './effect-detection'
import { run as lockCheck } from './lock-check'
import { run as messageCheck } from './message-check'
import { run as notification } from './notification'
import { run as partitions } from './partitions'
import { run as reconciliation } from './reconciliation'
import { run as rollUp } from './roll-up'
import { run as sealing } from './sealing'
import { run as staging } from './staging'

/** One handler a kind of run. */
export const handlers: Record<RunKind, RunHandler> = {
  reconciliation,
  staging,
  roll_up: rollUp,
  effect_detection: effectDetection,
  lock_check: lockCheck,
  collection,
  partitions,
  bulk,
  sealing,
  conditions,
  notification,
  message_check: messageCheck,
}
