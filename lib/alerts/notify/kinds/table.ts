import type { ReceiverKind } from '@/lib/core/receiver-kinds'
import { alertmanager } from './alertmanager'
import { email } from './email'
import type { Kind } from './kind'
import { opsgenie } from './opsgenie'
import { pagerduty } from './pagerduty'
import { slack } from './slack'
import { webhook } from './webhook'

/** Every kind of receiver. A kind without a renderer breaks the build. */
export const KINDS: Record<ReceiverKind, Kind> = {
  webhook,
  slack,
  pagerduty,
  opsgenie,
  alertmanager,
  email,
}
