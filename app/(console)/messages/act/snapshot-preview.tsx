import type { Attempted } from '@/app/_server/attempt'
import { shortId } from '@/app/_ui/identifier'
import { NotDoneNote } from '@/app/_ui/note'
import { Time } from '@/app/_ui/time'
import { countText, plural } from '@/lib/core/format-figure'
import type { MessageSnapshot } from '../actions'
import { VERB } from './labels'

/** What the snapshot holds, and what it does not, by reason. */
export function SnapshotPreview({ preview }: { preview: Attempted<MessageSnapshot> | null }) {
  return (
    <section aria-label="Preview" aria-busy={preview === null} className="min-h-36">
      {preview === null ? (
        <p role="status" className="py-12 text-center text-ink-2">
          Reading the messages and their consumers’ records …
        </p>
      ) : preview.kind === 'not_done' ? (
        <NotDoneNote fault={preview} />
      ) : (
        <Looked snapshot={preview.value} />
      )}
    </section>
  )
}

const REASON: Record<MessageSnapshot['excluded'][number]['reason'], string> = {
  no_consumer: 'nobody has said who consumes them',
  no_id: 'have no id',
  applied: 'were applied by every consumer: discard them instead',
  in_progress: 'are being applied now',
  unknown: 'began an effect whose end nobody knows',
  held: 'are held: lift the hold first',
  evidence_changed: 'changed while they were looked at',
  took_too_long: 'took too long to look at',
  expired: 'may have been applied: their record is gone or ends',
  not_known: 'cannot be checked: a consumer’s store does not answer',
  not_dead: 'are not dead any more',
  changed: 'changed since they were listed',
  gone: 'are gone',
  not_supported: 'cannot be changed by this source',
  source_unreachable: 'cannot be read',
}

function Looked({ snapshot }: { snapshot: MessageSnapshot }) {
  const { money, needsSecondPerson } = snapshot
  const { verb, count, samples, excluded, excludedShown, more, expiresAt } = snapshot
  const left = excluded.reduce((sum, reason) => sum + reason.count, 0)
  return (
    <div className="grid gap-3">
      {count === 0 ? (
        <p className="rounded-m bg-sunken px-3 py-2.5">Nothing can be done to any of them now.</p>
      ) : (
        <div className="rounded-m border border-line">
          <p className="flex flex-wrap items-baseline justify-between gap-x-4 border-line border-b px-3 py-2">
            <b className="font-semibold">
              {VERB[verb].name} {plural(count, 'message')}
            </b>
            <span className="text-ink-2 text-s">
              {needsSecondPerson &&
                `${money > 0 ? `money moves on ${countText(money)}` : 'more than 100'}: a second person approves · `}
              in this snapshot, valid until <Time at={expiresAt} />
            </span>
          </p>
          <ul className="max-h-40 overflow-y-auto">
            {samples.map(({ id, place, topic, type }) => (
              <Line key={id} name={place} text={type === null ? topic : `${topic} · ${type}`} />
            ))}
            {count > samples.length && (
              <li className="px-3 py-1.5 text-ink-2 text-s">and {countText(count - samples.length)} more</li>
            )}
          </ul>
        </div>
      )}
      {left > 0 && (
        <div className="rounded-m border border-warn-line">
          <p className="border-warn-line border-b bg-warn-soft px-3 py-2 font-semibold text-warn-ink">
            Left as they are: {countText(left)}
          </p>
          <ul className="px-3 py-1.5">
            {excluded.map((each) => (
              <li key={each.reason}>
                <b className="font-semibold">{countText(each.count)}</b> {REASON[each.reason]}
              </li>
            ))}
          </ul>
          <ul className="max-h-40 overflow-y-auto border-warn-line border-t">
            {excludedShown.map(({ id, place, text }) => (
              <Line key={id} name={place} text={text} />
            ))}
          </ul>
        </div>
      )}
      {more && <p className="text-ink-2 text-s">1,000 at a time: run it again for the rest.</p>}
    </div>
  )
}

const Line = ({ name, text }: { name: string; text: string }) => (
  <li className="grid gap-x-3 px-3 py-1.5 sm:grid-cols-[1fr_1.6fr]">
    <span className="truncate font-mono text-s" title={name}>
      {shortId(name, 18, 4)}
    </span>
    <span className="text-ink-2 text-s">{text}</span>
  </li>
)
