import { z } from 'zod'
import type { Draft, Outcome } from './context'
import type { FormNode } from './form'
import type { Mail } from './objects'
import { metadata, parseParams, text } from './params'

const sendParams = z.strictObject({ to: z.email(), subject: text, metadata })

/** Sends a mail. The same key sends it once, as with everything that the provider writes. */
export function sendMail(draft: Draft, form: FormNode): Outcome {
  const { to, subject, metadata = {} } = parseParams(sendParams, form)
  const mail: Mail = {
    object: 'mail',
    id: draft.newId('em'),
    createdS: draft.createdS,
    to,
    subject,
    metadata,
  }
  draft.save(mail)
  return { status: 200, object: mail }
}
