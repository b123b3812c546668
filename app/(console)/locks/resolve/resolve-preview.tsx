import type { Attempted } from '@/app/_server/attempt'
import { shortId } from '@/app/_ui/identifier'
import { moneyListText } from '@/app/_ui/money-text'
import { NotDoneNote, Note } from '@/app/_ui/note'
import { Time } from '@/app/_ui/time'
import { plural } from '@/lib/core/format-figure'
import { scopeParts } from '@/lib/core/scope'
import type { LockPreview } from '../actions'
import { VERB } from '../labels'

/** What the snapshot holds, and what of the selection it does not, each with its reason. */
export function Preview({ preview }: { preview: Attempted<LockPreview> | null }) {
  return (
    <section aria-label="Preview" aria-busy={preview === null} className="min-h-36">
      {preview === null ? (
        <p role="status" className="py-12 text-center text-ink-2">
          Reading store and provider …
        </p>
      ) : preview.kind === 'not_done' ? (
        <NotDoneNote fault={preview} />
      ) : (
        <Looked preview={preview.value} />
      )}
    </section>
  )
}

function Looked({ preview: { snapshots, left, more, unlisted, unsafe } }: { preview: LockPreview }) {
  return (
    <div className="grid gap-3">
      {snapshots.length === 0 && (
        <p className="rounded-m bg-sunken px-3 py-2.5">Nothing can be done to any of them now.</p>
      )}
      {snapshots.map((snapshot) => (
        <div key={snapshot.snapshotId} className="rounded-m border border-line">
          <p className="flex flex-wrap items-baseline justify-between gap-x-4 border-line border-b px-3 py-2">
            <b className="font-semibold">
              {VERB[snapshot.verb].name} {plural(snapshot.count, 'lock')}
            </b>
            <span className="text-ink-2 text-s">
              {snapshot.totals.length > 0 && `${moneyListText(snapshot.totals)} at the provider · `}
              in this snapshot, valid until <Time at={snapshot.expiresAt} />
            </span>
          </p>
          <ul className="max-h-40 overflow-y-auto">
            {snapshot.samples.map((item) => (
              <KeyLine key={item.lockId} name={item.key} text={scopeParts(item.scope).endpoint} />
            ))}
            {snapshot.count > snapshot.samples.length && (
              <li className="px-3 py-1.5 text-ink-2 text-s">
                and {snapshot.count - snapshot.samples.length} more
              </li>
            )}
          </ul>
        </div>
      ))}
      {unsafe.map(({ source, name, text }) => (
        <Note key={source} tone="warn">
          <b className="font-semibold">{name}</b> does not fence its holders. {text}
        </Note>
      ))}
      {left.length > 0 && (
        <div className="rounded-m border border-warn-line">
          <p className="border-warn-line border-b bg-warn-soft px-3 py-2 font-semibold text-warn-ink">
            Left as they are: {left.length}
          </p>
          <ul className="max-h-40 overflow-y-auto">
            {left.map((item) => (
              <KeyLine key={item.lockId} name={item.key} text={item.text} />
            ))}
          </ul>
        </div>
      )}
      {unlisted.map(({ source, name, listed }) => (
        <p key={source} className="text-ink-2 text-s">
          {name} holds more live locks than the oldest {listed.toLocaleString('en-US')}, which are listed: the
          others are not part of this.
        </p>
      ))}
      {more && <p className="text-ink-2 text-s">100 at a time: run it again for the rest.</p>}
    </div>
  )
}

function KeyLine({ name, text }: { name: string; text: string }) {
  return (
    <li className="grid gap-x-3 px-3 py-1.5 sm:grid-cols-[1fr_1.4fr]">
      <span className="truncate font-mono text-s" title={name}>
        {shortId(name, 18, 4)}
      </span>
      <span className="text-ink-2 text-s">{text}</span>
    </li>
  )
}
