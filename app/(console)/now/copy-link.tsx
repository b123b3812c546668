'use client'

import { Link2 } from 'lucide-react'
import { CopyButton } from '@/app/_ui/copy-button'

/** A link that shows what is on the screen now, also tomorrow: the range in it stands still. */
export function CopyLink({ query }: { query: string }) {
  const link = () => {
    const url = new URL(window.location.pathname + query, window.location.origin)
    const zone = new URLSearchParams(window.location.search).get('tz')
    if (zone !== null) url.searchParams.set('tz', zone)
    return url.href
  }
  return <CopyButton text={link} label="Copy link" icon={Link2} />
}
