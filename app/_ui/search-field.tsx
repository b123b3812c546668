'use client'

import { Search, X } from 'lucide-react'
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { type FormEvent, useId, useTransition } from 'react'
import { Button, buttonClass } from './button'
import { useQueryHref } from './page-link'

/** The way from a search's fields to the URL: what is empty is left out, and the list begins at its first page. */
function useSearch(names: readonly string[]) {
  const router = useRouter()
  const [pending, startTransition] = useTransition()
  const base = useQueryHref(Object.fromEntries([...names, 'cursor'].map((name) => [name, null])))
  const onSubmit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const url = new URL(base, window.location.origin)
    for (const [name, value] of new FormData(event.currentTarget)) {
      if (typeof value === 'string' && value.trim() !== '') url.searchParams.set(name, value.trim())
    }
    startTransition(() => router.push(url.pathname + url.search, { scroll: false }))
  }
  return { base, pending, onSubmit }
}

const INPUT =
  'h-8 rounded-m border border-edge bg-surface placeholder:text-ink-3 max-md:h-11 max-md:text-[16px]'

/** A search within a page by one text. */
export function SearchField({
  name,
  label,
  placeholder,
  value,
}: {
  name: string
  label: string
  placeholder: string
  value: string | null
}) {
  const id = useId()
  const { onSubmit } = useSearch([name])
  return (
    <search>
      <form key={value} className="relative" onSubmit={onSubmit}>
        <label htmlFor={id} className="sr-only">
          {label}
        </label>
        <Search
          size={14}
          aria-hidden="true"
          className="pointer-events-none absolute top-1/2 left-2.5 -translate-y-1/2 text-ink-3"
        />
        <input
          id={id}
          name={name}
          type="search"
          defaultValue={value ?? ''}
          placeholder={placeholder}
          maxLength={200}
          className={`w-72 max-w-full pr-2.5 pl-8 max-md:w-full ${INPUT}`}
        />
      </form>
    </search>
  )
}

type SearchedField = { name: string; label: string; hint: string; value: string | null }

type SearchFormProps = {
  fields: readonly SearchedField[]
  /** Its button, and what it says while the answer is on its way. */
  verb?: readonly [label: string, pending: string]
}

/** A search by several texts, the first of them the widest. Works as a plain form before any script has run. */
export function SearchForm({ fields, verb = ['Search', 'Searching …'] }: SearchFormProps) {
  const id = useId()
  const { base, pending, onSubmit } = useSearch(fields.map(({ name }) => name))
  return (
    <search>
      <form
        key={fields.map(({ value }) => value ?? '').join('|')}
        className="flex flex-wrap items-end gap-2 border-line border-b px-4 py-3"
        onSubmit={onSubmit}
      >
        {fields.map(({ name, label, hint, value }, place) => (
          <div key={name} className={place === 0 ? 'min-w-52 flex-[2]' : 'min-w-36 flex-1'}>
            <label htmlFor={`${id}-${name}`} className="mb-1 block text-ink-2 text-s">
              {label}
            </label>
            <input
              id={`${id}-${name}`}
              name={name}
              defaultValue={value ?? ''}
              placeholder={hint}
              autoComplete="off"
              spellCheck={false}
              className={`w-full px-2.5 font-mono text-s placeholder:font-sans ${INPUT}`}
            />
          </div>
        ))}
        <Button type="submit" look="primary" aria-busy={pending}>
          <Search size={14} aria-hidden="true" /> {pending ? verb[1] : verb[0]}
        </Button>
        {fields.some(({ value }) => value !== null) && (
          <Link href={base} prefetch={false} scroll={false} className={buttonClass('quiet')}>
            <X size={14} aria-hidden="true" /> Clear
          </Link>
        )}
      </form>
    </search>
  )
}
