'use client'

import { Check, Copy } from 'lucide-react'
import { useEffect, useState } from 'react'
import { Button } from './button'

const SAID_FOR_MS = 2_500

/** Copies text as it is; integers beyond 2^53 too, since they are text. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [said, setSaid] = useState<'copied' | 'refused' | null>(null)
  useEffect(() => {
    if (said === null) return
    const timer = setTimeout(() => setSaid(null), SAID_FOR_MS)
    return () => clearTimeout(timer)
  }, [said])
  const copy = async () =>
    navigator.clipboard.writeText(text).then(
      () => setSaid('copied'),
      () => setSaid('refused'),
    )
  return (
    <Button look="quiet" className="relative z-10" onClick={() => void copy()}>
      {said === 'copied' ? <Check size={14} aria-hidden="true" /> : <Copy size={14} aria-hidden="true" />}
      <span role="status">
        {said === 'copied' ? 'Copied' : said === 'refused' ? 'Clipboard refused' : label}
      </span>
    </Button>
  )
}
