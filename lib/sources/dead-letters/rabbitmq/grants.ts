import type { RabbitConfig } from './config'

const exactly = (name: string): string => `^${name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** The commands that make a user who may do what this source does in its virtual host, and no more. */
export function rabbitGrants({ queue }: RabbitConfig, user: string): string {
  const lock = `idemscope.reading.${queue}`
  // Sending to a queue by its name goes through the default exchange, which is written as amq.default.
  const [configure, write, read] = [exactly(lock), exactly('amq.default'), exactly(queue)]
  return [
    `rabbitmqctl add_user ${user} 'choose one'`,
    '# In the virtual host of the URL.',
    `rabbitmqctl set_permissions -p / ${user} ${[configure, write, read].map(quoted).join(' ')}`,
    '',
  ].join('\n')
}
