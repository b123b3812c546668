import { Badge, type BadgeTone } from '@/app/_ui/badge'
import type { SourceState, SourceView } from '@/lib/mirror/read/list-sources'

const LOOK: Record<SourceState, { text: string; tone: BadgeTone }> = {
  ok: { text: 'Read', tone: 'ok' },
  stale: { text: 'Stale', tone: 'warn' },
  down: { text: 'Cannot be read', tone: 'bad' },
  never: { text: 'Not read yet', tone: 'plain' },
}

/** Whether a source can be read. */
export function SourceBadge({ source: { enabled, state } }: { source: SourceView }) {
  return enabled ? <Badge tone={LOOK[state].tone}>{LOOK[state].text}</Badge> : <Badge>Switched off</Badge>
}
