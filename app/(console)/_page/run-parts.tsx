import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { Facts } from '@/app/_ui/facts'
import { PageLink } from '@/app/_ui/page-link'
import { ShortId } from '@/app/_ui/short-id'
import { Time } from '@/app/_ui/time'
import { durationText, plural } from '@/lib/core/format-figure'
import type { Names } from '@/lib/core/names'
import { bySchedule, isActive, RUN_STATE_LABEL } from '@/lib/runs/describe-run'
import type { RunView, readRunLog } from '@/lib/runs/read'

// What pages of runs show, whatever kind a run is.

export const RunBadge = ({ run }: { run: RunView }) => (
  <Badge tone={isActive(run) ? 'accent' : run.state === 'failed' ? 'bad' : 'plain'}>
    {RUN_STATE_LABEL[run.state]}
  </Badge>
)

type RunLines = Awaited<ReturnType<typeof readRunLog>>

/** Beside what a run found: who started it, and what it had to say. */
export const AboutRun = ({ run, people, lines }: { run: RunView; people: Names; lines: RunLines }) => (
  <>
    <RunFacts run={run} by={people.get(run.requestedBy)} />
    <RunLog lines={lines} />
  </>
)

/** Who started a run, when, and how long it took. */
function RunFacts({ run, by }: { run: RunView; by: string | undefined }) {
  const { startedAt, finishedAt } = run
  const scheduled = bySchedule(run)
  const took =
    startedAt === null || finishedAt === null ? null : Date.parse(finishedAt) - Date.parse(startedAt)
  return (
    <Card id="facts" title="About this run">
      <div className="px-4 pb-2">
        <Facts
          facts={[
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

/** What a run had to say, oldest first. */
function RunLog({ lines }: { lines: RunLines }) {
  return (
    <Card
      id="log"
      title="Log"
      aside={lines.length === 0 ? undefined : plural(lines.length, 'line')}
      empty={lines.length === 0 && 'No log entries.'}
    >
      <ol className="max-h-[28rem] overflow-y-auto pb-2">
        {lines.map((line) => (
          <li
            key={`${line.at} ${line.message}`}
            className="border-line border-t px-4 py-1.5 first:border-t-0"
          >
            <span className="flex justify-between gap-3 text-ink-3 text-s">
              <span>{line.level}</span>
              <Time at={line.at} kind="seconds" />
            </span>
            <span className="block break-words">{line.message}</span>
          </li>
        ))}
      </ol>
    </Card>
  )
}
