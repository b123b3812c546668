import { Card } from '@/app/_ui/card'
import { type Fact, Facts } from '@/app/_ui/facts'
import { PageLink } from '@/app/_ui/page-link'
import { ShortId } from '@/app/_ui/short-id'
import { Time } from '@/app/_ui/time'
import { durationText } from '@/lib/core/format-figure'
import type { RunView } from '@/lib/runs/read'

/** Who started a run, when, and how long it took. */
export function RunFacts({
  run,
  by,
  more = [],
}: {
  run: RunView
  by: string | undefined
  more?: readonly Fact[]
}) {
  const { startedAt, finishedAt } = run
  const scheduled = run.requestedBy.startsWith('system:')
  const took =
    startedAt === null || finishedAt === null ? null : Date.parse(finishedAt) - Date.parse(startedAt)
  return (
    <Card id="facts" title="About this run">
      <div className="px-4 pb-2">
        <Facts
          facts={[
            ...more,
            { label: 'Started by', value: scheduled ? 'the schedule' : (by ?? run.requestedBy) },
            { label: 'Asked for', value: <Time at={run.createdAt} kind="seconds" /> },
            {
              label: 'Began',
              value: startedAt === null ? 'not yet' : <Time at={startedAt} kind="seconds" />,
            },
            {
              label: 'Took',
              value: took === null ? 'not ended' : took < 1_000 ? `${took} ms` : durationText(took),
            },
            {
              label: 'Audit',
              value: scheduled ? (
                <ShortId id={run.id} />
              ) : (
                <PageLink href={`/audit?subject=${run.id}`} look="link">
                  <ShortId id={run.id} />
                </PageLink>
              ),
            },
          ]}
        />
      </div>
    </Card>
  )
}
