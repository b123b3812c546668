import { Card } from '@/app/_ui/card'
import { Time } from '@/app/_ui/time'
import { plural } from '@/lib/core/format-figure'
import type { readRunLog } from '@/lib/runs/read'

/** What a run had to say, oldest first. */
export function RunLog({ lines }: { lines: Awaited<ReturnType<typeof readRunLog>> }) {
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
