'use client'

import { CopyButton } from '@/app/_ui/copy-button'
import { useHydrated } from '@/app/_ui/zone'
import type { KeyAction } from '@/lib/core/states'
import { curlText } from './curl-text'

type Props = { verb: KeyAction; id: string; version: string; reason: string }

/** The same action for a terminal. It names where a token goes and never has one. */
export function CopyCurl(props: Props) {
  const hydrated = useHydrated()
  if (!hydrated) return null
  return (
    <CopyButton text={curlText({ ...props, origin: window.location.origin })} label="Copy as curl" iconOnly />
  )
}
