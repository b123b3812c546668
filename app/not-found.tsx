import type { Metadata } from 'next'
import Link from 'next/link'
import { buttonClass } from './_ui/button'
import { MessagePage } from './_ui/message-page'

export const metadata: Metadata = { title: 'Page not found' }

export default function NotFound() {
  return (
    <MessagePage title="There is no such page">
      <p>The address may be mistyped, or it is from another version of the console. Nothing was changed.</p>
      <Link href="/now" className={buttonClass('primary', 'mt-4')}>
        Back to Now
      </Link>
    </MessagePage>
  )
}
