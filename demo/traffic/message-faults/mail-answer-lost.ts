import { type FaultScript, paymentsRoute } from '../faults/stage'
import { emailOf, findingOfMessage, onlyMessageOf, withReceipt } from './order'

/** The mail is sent and the answer is lost: nobody knows, so the consumer parks the message until a person has settled its key. */
export const mailAnswerLost: FaultScript = async (stage) => {
  await stage.client.pay(paymentsRoute, withReceipt(stage), {
    key: stage.operation.keys[0],
    divert: { url: null, fault: 'lose-mail-answer' },
  })
  const message = await onlyMessageOf(stage)
  await stage.messages.until('dead', [message.id])
  const sent = await stage.messages.mailsTo(emailOf(stage))
  if (sent.length !== 1) throw new Error(`${sent.length} mails were sent, not 1`)
  return findingOfMessage(stage, message)
}
