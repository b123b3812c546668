'use client'

import { Search, X } from 'lucide-react'
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { useId, useTransition } from 'react'
import { Button, buttonClass } from '@/app/_ui/button'
import { useQueryHref } from '@/app/_ui/page-link'
import type { Query } from './query'

const FIELDS = [
  { name: 'key', label: 'Key', hint: 'a key or its beginning' },
  { name: 'reference', label: 'Reference', hint: 'order, invoice' },
  { name: 'effect', label: 'Provider reference', hint: 'ch_…, re_…' },
  { name: 'trace', label: 'Trace', hint: '32 hex digits' },
] as const

/** What is looked for, in the URL. Works as a plain form before any script has run. */
export function SearchForm({ query }: { query: Query }) {
  const id = useId()
  const router = useRouter()
  const [pending, startTransition] = useTransition()
  const base = useQueryHref({ key: null, reference: null, effect: null, trace: null, cursor: null })
  const set = FIELDS.some(({ name }) => query[name] !== null)
  return (
    <search>
      <form
        key={FIELDS.map(({ name }) => query[name] ?? '').join('|')}
        className="flex flex-wrap items-end gap-2 border-line border-b px-4 py-3"
        onSubmit={(event) => {
          event.preventDefault()
          const url = new URL(base, window.location.origin)
          for (const [name, value] of new FormData(event.currentTarget)) {
            if (typeof value === 'string' && value.trim() !== '') url.searchParams.set(name, value.trim())
          }
          startTransition(() => router.push(url.pathname + url.search, { scroll: false }))
        }}
      >
        {FIELDS.map(({ name, label, hint }) => (
          <div key={name} className={name === 'key' ? 'min-w-52 flex-[2]' : 'min-w-36 flex-1'}>
            <label htmlFor={`${id}-${name}`} className="mb-1 block text-ink-2 text-s">
              {label}
            </label>
            <input
              id={`${id}-${name}`}
              name={name}
              defaultValue={query[name] ?? ''}
              placeholder={hint}
              autoComplete="off"
              spellCheck={false}
              className="h-8 w-full rounded-m border border-edge bg-surface px-2.5 font-mono text-s placeholder:font-sans placeholder:text-ink-3 max-md:h-11 max-md:text-[16px]"
            />
          </div>
        ))}
        <Button type="submit" look="primary" aria-busy={pending}>
          <Search size={14} aria-hidden="true" /> {pending ? 'Searching …' : 'Search'}
        </Button>
        {set && (
          <Link href={base} prefetch={false} scroll={false} className={buttonClass('quiet')}>
            <X size={14} aria-hidden="true" /> Clear
          </Link>
        )}
      </form>
    </search>
  )
}
