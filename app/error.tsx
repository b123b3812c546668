'use client'

import { Failure } from './_ui/failure'
import { MessagePage } from './_ui/message-page'

export default function ErrorPage({ error, retry }: { error: unknown; retry: () => void }) {
  return (
    <MessagePage title="Something broke on our side">
      <Failure error={error} retry={retry} />
    </MessagePage>
  )
}
