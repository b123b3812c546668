import { OctagonPause } from 'lucide-react'
import { buttonClass } from '@/app/_ui/button'
import { PageLink } from '@/app/_ui/page-link'

/** To the dialog that holds this key; its route and its caller can be chosen there instead. */
export function HoldLink(props: { source: string; scope: string; keyText: string }) {
  const { source, scope, keyText: key } = props
  return (
    <PageLink
      href={`/holds?${new URLSearchParams({ place: 'key', source, scope, key })}`}
      className={buttonClass()}
    >
      <OctagonPause size={14} aria-hidden="true" />
      Hold this key
    </PageLink>
  )
}
