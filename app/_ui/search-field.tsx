'use client'

import { Search } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useId } from 'react'
import { useQueryHref } from './page-link'

/** A search within a page: its text is in the URL once it is sent, and the list begins at its first page. */
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
  const router = useRouter()
  const base = useQueryHref({ [name]: null, cursor: null })
  return (
    <search>
      <form
        key={value}
        className="relative"
        onSubmit={(event) => {
          event.preventDefault()
          const text = new FormData(event.currentTarget).get(name)
          const query =
            typeof text === 'string' && text.trim() !== '' ? `${name}=${encodeURIComponent(text.trim())}` : ''
          router.push(query === '' ? base : `${base}${base.includes('?') ? '&' : '?'}${query}`, {
            scroll: false,
          })
        }}
      >
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
          className="h-8 w-72 max-w-full rounded-m border border-edge bg-surface pr-2.5 pl-8 placeholder:text-ink-3 max-md:h-11 max-md:w-full max-md:text-[16px]"
        />
      </form>
    </search>
  )
}
