import type { DetectedLayout } from '../../contracts'
import { openKafka } from './client'
import type { KafkaSecret } from './config'

const TIMEOUT_MS = 5_000

/** As Spring Kafka names them, and most others. */
const DEAD = /[._-](dlt|dlq|dead|dead[._-]?letters?|errors?)$/i

/** Topics that are named as another one’s dead letters. Reads no message. */
export async function detectTopics(secret: KafkaSecret): Promise<DetectedLayout[]> {
  const kafka = openKafka(secret, [], TIMEOUT_MS)
  try {
    const topics = await kafka.topics()
    const found: DetectedLayout[] = []
    for (const deadTopic of topics.toSorted()) {
      const sourceTopic = deadTopic.replace(DEAD, '')
      const wanted = secret.topic === undefined || secret.topic === deadTopic
      if (sourceTopic === deadTopic || !topics.includes(sourceTopic) || !wanted) continue
      const offsets = await kafka.offsets(deadTopic)
      found.push({
        adapter: 'kafka-dead-letters',
        library: `Dead letters of ${sourceTopic}`,
        place: deadTopic,
        config: { deadTopic, sourceTopic },
        rowsEstimate: Number(offsets.reduce((sum, { low, high }) => sum + high - low, 0n)),
      })
    }
    return found
  } finally {
    await kafka.close()
  }
}
