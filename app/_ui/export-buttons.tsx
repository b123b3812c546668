'use client'

import { Download } from 'lucide-react'
import { useSearchParams } from 'next/navigation'
import { Button } from './button'

/** The filter that is shown, as a file. Plain forms: the browser saves what comes. */
export function ExportButtons({ action, title }: { action: string; title: string }) {
  const query = new URLSearchParams(useSearchParams())
  for (const name of ['open', 'cursor']) query.delete(name)
  return (['csv', 'json'] as const).map((format) => {
    query.set('format', format)
    return (
      <form key={format} method="post" action={`${action}?${query}`}>
        <Button type="submit" title={title}>
          <Download size={14} aria-hidden="true" /> {format.toUpperCase()}
        </Button>
      </form>
    )
  })
}
