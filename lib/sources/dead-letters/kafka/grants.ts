import type { KafkaConfig } from './config'

/** The commands that give a user what this source needs, and no more. */
export function kafkaGrants({ deadTopic, sourceTopic, actionsTopic }: KafkaConfig, user: string): string {
  const acl = (rest: string) =>
    `kafka-acls.sh --bootstrap-server BROKER --add --allow-principal User:${user} ${rest}`
  return [
    acl(`--operation Read --operation Describe --topic ${deadTopic}`),
    '# It reads in groups of its own, and commits nothing.',
    acl('--operation Read --group idemscope. --resource-pattern-type prefixed'),
    ...(actionsTopic === undefined
      ? []
      : [
          acl(`--operation Write --operation Describe --topic ${sourceTopic}`),
          '# One partition; kept at least as long as the dead letters.',
          `kafka-topics.sh --bootstrap-server BROKER --create --topic ${actionsTopic} --partitions 1 --config retention.ms=-1`,
          acl(`--operation Read --operation Write --operation Describe --topic ${actionsTopic}`),
        ]),
    '',
  ].join('\n')
}
