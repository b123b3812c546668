import { type DetectedLayout, SourceUnavailableError } from '../../contracts'
import { openRabbit } from './client'
import type { RabbitSecret } from './config'
import { diedIn } from './rows'

const TIMEOUT_MS = 5_000

/** Looks at one message of a queue, for the queue that it died in. It is given back. */
export async function detectDeadQueue({ url, queue }: RabbitSecret): Promise<DetectedLayout[]> {
  if (queue === undefined)
    throw new SourceUnavailableError('AMQP cannot list queues: name the queue of dead letters', {
      refused: true,
    })
  const rabbit = openRabbit(url, TIMEOUT_MS)
  try {
    return await rabbit.channel(async (channel) => {
      const { messageCount } = await channel.checkQueue(queue)
      const message = await channel.get(queue, { noAck: false })
      if (message === false) return []
      channel.nack(message, false, true)
      const sourceQueue = diedIn(message)
      if (sourceQueue === null) return []
      return [
        {
          adapter: 'rabbitmq-dead-letters',
          library: `Dead letters of ${sourceQueue}`,
          place: queue,
          config: { queue, sourceQueue },
          rowsEstimate: messageCount,
        },
      ]
    })
  } finally {
    await rabbit.close()
  }
}
