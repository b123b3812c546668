'use client'

import { CardFrame } from '@/app/_ui/card'
import { ChoiceTable } from '@/app/_ui/choice-table'
import { EmptyState } from '@/app/_ui/empty-state'
import { shortId } from '@/app/_ui/identifier'
import { Pager } from '@/app/_ui/pager'
import type { SteadyRow } from '@/app/_ui/steady-rows'
import { type Column, figureColumn, RowLink, TwoLines } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { countText, plural } from '@/lib/core/format-figure'
import { type Names, nameIn } from '@/lib/core/names'
import { dotted } from '@/lib/core/scope'
import { ActButtons } from './act/act-buttons'
import type { Refusals } from './act/labels'
import type { Query } from './query'
import type { DeadLetter } from './read-page'

type Props = {
  rows: readonly DeadLetter[]
  next: string | null
  query: Query
  /** How many match in all. */
  matching: number
  refusal: Refusals
  place: string
  names: Names
}

export function DeadTable({ rows, next, query, matching, refusal, place, names }: Props) {
  return (
    <CardFrame label="Dead messages">
      <ChoiceTable
        caption="Dead messages, the oldest first"
        noun="message"
        columns={columnsOf(names)}
        rows={rows}
        view={[query.source, query.topic, query.cause, query.cursor].join('|')}
        toolbar={
          <span className="text-ink-2 text-s">
            {query.cause === null ? 'All causes' : 'One cause'}: {countText(matching)} dead
          </span>
        }
        empty={
          query.cause === null && query.cursor === null ? (
            <EmptyState kind="none" title="No message is dead" />
          ) : (
            <EmptyState
              kind="filtered"
              title="None is dead of this cause"
              clear={{ cause: null, cursor: null }}
            />
          )
        }
        pageLabel="all messages"
        labelOf={({ place: id }) => id}
        // All of a cause are acted on from its own row.
        matching={rows.length}
        selectAll={async () => ({ kind: 'done', value: { ids: rows.map(({ id }) => id), more: false } })}
        refusal={refusal.redrive}
        limitNote=""
        chosen={({ ids, keep }) => (
          <ActButtons
            filter={{ ids: [...ids] }}
            what={ids.length === 0 ? 'messages' : plural(ids.length, 'message')}
            {...{ refusal, place }}
            onDone={() => keep([])}
          />
        )}
      />
      <Pager shown={rows.length} noun="message" cursor={query.cursor} next={next} />
    </CardFrame>
  )
}

const columnsOf = (names: Names): Column<SteadyRow<DeadLetter>>[] => [
  {
    head: 'Message',
    className: 'max-w-0 w-[34%] max-md:w-full',
    cell: ({ item: { source, place, topic, type } }) => (
      <TwoLines below={dotted(topic, type ?? '', nameIn(names, source))}>
        <RowLink
          to={`/messages/${encodeURIComponent(source)}/${encodeURIComponent(place)}`}
          title={place}
          className="truncate font-mono text-s"
        >
          {shortId(place, 18, 6)}
        </RowLink>
      </TwoLines>
    ),
  },
  {
    head: 'Died of',
    from: 'md',
    className: 'max-w-0 w-[36%]',
    cell: ({ item: { title } }) => (
      <span className="block truncate" title={title}>
        {title}
      </span>
    ),
  },
  {
    head: 'Key',
    from: 'lg',
    className: 'max-w-40',
    cell: ({ item: { key } }) =>
      key === null ? (
        <span className="text-ink-3">none</span>
      ) : (
        <span className="block truncate font-mono text-s" title={key}>
          {key}
        </span>
      ),
  },
  figureColumn('Attempts', ({ item: { attempts } }) => countText(attempts), { from: 'lg' }),
  figureColumn('Died', ({ item: { diedAt }, gone }) =>
    gone ? (
      'Gone'
    ) : diedAt === null ? (
      <span className="text-ink-3">not known</span>
    ) : (
      <Time at={diedAt} kind="ago" />
    ),
  ),
]
