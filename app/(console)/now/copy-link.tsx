'use client'

import { Check, Link2 } from 'lucide-react'
import { useEffect, useState } from 'react'
import { Button } from '@/app/_ui/button'

const SAID_FOR_MS = 2_500

/** A link that shows what is on the screen now, also tomorrow: the range in it stands still. */
export function CopyLink({ query }: { query: string }) {
  const [said, setSaid] = useState<'copied' | 'failed' | null>(null)
  useEffect(() => {
    if (said === null) return
    const timer = setTimeout(() => setSaid(null), SAID_FOR_MS)
    return () => clearTimeout(timer)
  }, [said])
  const copy = async () => {
    const url = new URL(window.location.pathname + query, window.location.origin)
    const zone = new URLSearchParams(window.location.search).get('tz')
    if (zone !== null) url.searchParams.set('tz', zone)
    await navigator.clipboard.writeText(url.href).then(
      () => setSaid('copied'),
      () => setSaid('failed'),
    )
  }
  return (
    <>
      <Button look="quiet" onClick={() => void copy()}>
        {said === 'copied' ? <Check size={14} aria-hidden="true" /> : <Link2 size={14} aria-hidden="true" />}
        Copy link
      </Button>
      <span role="status" className="text-ink-2 text-s">
        {said === 'copied' ? 'Copied' : said === 'failed' ? 'Clipboard refused' : ''}
      </span>
    </>
  )
}
