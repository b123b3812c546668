'use client'

import {
  ArrowRight,
  GanttChart,
  KeyRound,
  type LucideIcon,
  Play,
  Scale,
  SearchIcon,
  Siren,
} from 'lucide-react'
import { useRouter } from 'next/navigation'
import { Dialog } from 'radix-ui'
import { type KeyboardEvent, useEffect, useId, useState } from 'react'
import { classNames } from '@/app/_ui/class-names'
import { DialogPortal, DialogRoot } from '@/app/_ui/dialog'
import { withKept } from '@/app/_ui/time-range'
import { PAGES } from '../nav'
import { type Found, find } from './find'

const ICON: Record<Found['kind'], LucideIcon> = {
  key: KeyRound,
  trace: GanttChart,
  case: Scale,
  run: Play,
  incident: Siren,
}
/** Typing is not asking: a pasted text waits no longer than this. */
const ASK_AFTER_MS = 150

type Entry = {
  id: string
  title: string
  detail: string
  href: string
  icon: LucideIcon
  mono: boolean
  /** The way there without the palette. */
  hint?: string
}
type Search =
  | { text: string; state: 'asking' }
  | { text: string; state: 'failed' }
  | { text: string; state: 'answered'; found: Found[]; timedOut: boolean }

/** Paste what you have: a key, a trace id, what the provider calls it. */
export function PaletteDialog({ onClose }: { onClose: () => void }) {
  const id = useId()
  const router = useRouter()
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const search = useFind(text.trim())
  const entries = [...foundEntries(search), ...pageEntries(text.trim())]
  const chosen = Math.min(at, entries.length - 1)
  const go = (entry: Entry | undefined) => {
    if (entry === undefined) return
    onClose()
    router.push(withKept(entry.href, new URLSearchParams(window.location.search)))
  }
  const press = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') setAt(Math.min(entries.length - 1, chosen + 1))
    else if (event.key === 'ArrowUp') setAt(Math.max(0, chosen - 1))
    else if (event.key === 'Enter') {
      // Right after a paste the answer is still on its way: a page must not be opened instead.
      if (search === null || search.state !== 'asking') go(entries[chosen])
    } else return
    event.preventDefault()
  }
  return (
    <DialogRoot open onOpenChange={(open) => !open && onClose()}>
      <DialogPortal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-shade" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed top-[12dvh] left-1/2 z-50 w-[calc(100vw-24px)] max-w-xl -translate-x-1/2 overflow-hidden rounded-[12px] border border-line-strong bg-raised shadow-raised max-md:top-3"
        >
          <Dialog.Title className="sr-only">Find a key, a trace or a charge</Dialog.Title>
          <div className="flex items-center gap-3 border-line border-b px-4">
            <SearchIcon size={16} aria-hidden="true" className="shrink-0 text-ink-3" />
            <input
              role="combobox"
              aria-expanded="true"
              aria-controls={`${id}-list`}
              aria-activedescendant={entries[chosen] === undefined ? undefined : `${id}-${chosen}`}
              aria-label="Key, trace id, provider reference or page"
              placeholder="Paste a key, a trace id, ch_…, an order"
              value={text}
              spellCheck={false}
              autoComplete="off"
              onChange={(event) => {
                setText(event.target.value)
                setAt(0)
              }}
              onKeyDown={press}
              className="h-12 min-w-0 flex-1 bg-transparent text-l outline-none placeholder:text-ink-3 max-md:text-[16px]"
            />
          </div>
          <Answer search={search} />
          <div
            id={`${id}-list`}
            role="listbox"
            aria-label="Results"
            className="max-h-[52dvh] overflow-y-auto p-2"
          >
            {entries.map((entry, place) => (
              <Option
                key={entry.id}
                id={`${id}-${place}`}
                entry={entry}
                chosen={place === chosen}
                onHover={() => setAt(place)}
                onChoose={() => go(entry)}
              />
            ))}
          </div>
        </Dialog.Content>
      </DialogPortal>
    </DialogRoot>
  )
}

function Option(props: {
  id: string
  entry: Entry
  chosen: boolean
  onHover: () => void
  onChoose: () => void
}) {
  const { icon: Icon, title, detail, mono, hint } = props.entry
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the box above has the keyboard, as a combobox does
    <div
      id={props.id}
      role="option"
      tabIndex={-1}
      aria-selected={props.chosen}
      onMouseMove={props.onHover}
      onClick={props.onChoose}
      className={classNames(
        'flex min-h-10 cursor-pointer items-center max-md:min-h-11 gap-3 rounded-m px-3 py-1.5',
        props.chosen && 'bg-accent-soft',
      )}
    >
      <Icon size={16} aria-hidden="true" className="shrink-0 text-ink-3" />
      <span className="min-w-0 flex-1">
        <span className={classNames('block truncate', mono ? 'font-mono text-s' : 'font-medium')}>
          {title}
        </span>
        {detail !== '' && <span className="block truncate text-ink-3 text-s">{detail}</span>}
      </span>
      {hint !== undefined && <span className="shrink-0 text-ink-3 text-s">{hint}</span>}
      {props.chosen && <ArrowRight size={14} aria-hidden="true" className="shrink-0 text-ink-3" />}
    </div>
  )
}

function answerWords(search: Search | null): string {
  if (search === null) return ''
  if (search.state === 'asking') return 'Looking …'
  if (search.state === 'failed') return 'The console did not answer. Change the text to try again.'
  if (search.found.length > 0) return ''
  return search.timedOut
    ? 'The search took too long and was ended. Paste the whole of it.'
    : 'Nothing is known under this text.'
}

function Answer({ search }: { search: Search | null }) {
  const words = answerWords(search)
  return (
    <p role="status" className={words === '' ? 'sr-only' : 'border-line border-b px-5 py-2.5 text-ink-2'}>
      {words}
    </p>
  )
}

/** Asks once the text rests; an answer to an older text is dropped. */
function useFind(text: string): Search | null {
  const [search, setSearch] = useState<Search | null>(null)
  useEffect(() => {
    if (text === '') return setSearch(null)
    let current = true
    setSearch({ text, state: 'asking' })
    const timer = setTimeout(() => {
      find(text).then(
        (answer) => current && setSearch({ text, state: 'answered', ...answer }),
        () => current && setSearch({ text, state: 'failed' }),
      )
    }, ASK_AFTER_MS)
    return () => {
      current = false
      clearTimeout(timer)
    }
  }, [text])
  return search
}

const foundEntries = (search: Search | null): Entry[] =>
  search?.state !== 'answered'
    ? []
    : search.found.map(({ kind, ...found }) => ({ ...found, icon: ICON[kind], mono: kind !== 'case' }))

const pageEntries = (text: string): Entry[] =>
  PAGES.filter(({ label }) => label.toLowerCase().includes(text.toLowerCase())).map(
    ({ href, label, icon, letter }) => ({
      id: href,
      title: label,
      detail: '',
      hint: `g then ${letter}`,
      href,
      icon,
      mono: false,
    }),
  )
