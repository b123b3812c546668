import { capabilitiesOf } from './capabilities'
import type { RedisConfig } from './config'
import { compilePattern } from './values/key-pattern'

const CONNECT = ['ping', 'select', 'info', 'time', 'client|id', 'client|setname']
const FOLLOW = ['client|tracking', 'subscribe']
const READ = ['scan', 'dbsize', 'multi', 'exec', 'pexpiretime']

/** The line that an owner gives to redis-cli on each server: keys of its prefix only, and no command that the source does not use. */
export function redisGrants(config: RedisConfig, user: string): string {
  const { canRelease, canComplete } = capabilitiesOf(config, false)
  const isHash = config.library === 'mapped' && config.mapping.format === 'hash'
  const { prefix } = compilePattern(config)
  const compare = canRelease || canComplete ? ['eval', 'type', isHash ? 'hgetall' : 'get'] : []
  const commands = [
    ...CONNECT,
    ...(prefix === '' ? [] : FOLLOW),
    ...READ,
    isHash ? 'hgetall' : 'getrange',
    ...compare,
    ...(canRelease ? ['del'] : []),
    ...(canComplete ? (isHash ? ['hset', 'pexpire'] : ['set']) : []),
  ]
  const keys = canRelease || canComplete ? `~${glob(prefix)}*` : `%R~${glob(prefix)}*`
  return [
    '# Choose the password. On a replica that walks go through, the same line without eval, del and set.',
    `ACL SETUSER ${user} reset on ">choose-one" "${keys}" resetchannels "&__redis__:invalidate" -@all ${[...new Set(commands)].map((command) => `+${command}`).join(' ')}`,
    `# From 7.2 on also, so that reading does not count as use: ACL SETUSER ${user} +client|no-touch`,
    ...(prefix === ''
      ? [
          '# Its keys have no prefix: this user reads every key. Give them a prefix, or a database of their own.',
        ]
      : []),
    '',
  ].join('\n')
}

const glob = (text: string): string => text.replaceAll(/[\\*?[\]"]/g, '\\$&')
