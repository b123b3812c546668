import { Badge, type BadgeTone } from '@/app/_ui/badge'
import type { SourceState, SourceView } from '@/lib/mirror/read/list-sources'

const LOOK: Record<SourceState, { text: string; tone: BadgeTone }> = {
  ok: { text: 'read', tone: 'ok' },
  stale: { text: 'stale', tone: 'warn' },
  down: { text: 'cannot be read', tone: 'bad' },
  never: { text: 'never read yet', tone: 'plain' },
}

/** Whether a source can be read. */
export function SourceBadge({ source: { enabled, state } }: { source: SourceView }) {
  return enabled ? <Badge tone={LOOK[state].tone}>{LOOK[state].text}</Badge> : <Badge>switched off</Badge>
}
