import { IdempotencyOptionsError } from '../../errors'

export type RedisAclOptions = {
  user: string
  /** SHA-256 of the password in hexadecimal; left out, the line sets none. */
  passwordSha256?: string
  /**
   * `service`: the SDK. `read`: whoever looks at the keys and changes nothing. `console`: reads all of them, follows their
   * changes, acts on them and places holds. Default service.
   */
  access?: 'service' | 'read' | 'console'
}

const CONNECT = ['ping', 'info', 'hello', 'client|setname', 'client|id', 'readonly', 'command']
const CLUSTER = ['cluster|slots', 'cluster|shards', 'cluster|nodes', 'cluster|info', 'asking']
const LOOK = [
  'time',
  'type',
  'get',
  'getrange',
  'strlen',
  'hget',
  'hmget',
  'hgetall',
  'hvals',
  'sismember',
  'scard',
]
/** By the SDK's scripts, and the scripts themselves. */
const SERVICE = ['eval', 'evalsha', 'set', 'del', 'hset', 'hsetnx', 'hdel', 'zadd', 'zrem', 'sadd']
const READ = ['eval_ro', 'evalsha_ro', 'exists', 'pttl', 'pexpiretime', 'zrange', 'zcard', 'smembers']

/** Beside what a service and a reader may: to walk through the keys, and to be told which of them change. */
const FOLLOW = ['hlen', 'scan', 'sscan', 'dbsize', 'client|tracking', 'subscribe']
const RIGHTS: Record<NonNullable<RedisAclOptions['access']>, string[]> = {
  service: SERVICE,
  read: READ,
  console: [...SERVICE, ...READ, ...FOLLOW],
}

/**
 * The rules that give a user what the store needs and no more: keys of its own, no administration, no other databases' keys.
 * `ACL SETUSER …` for redis-cli; without its first word it is a line of an ACL file.
 */
export function redisAcl({ user, passwordSha256, access = 'service' }: RedisAclOptions): string {
  const faults = [
    /^[^\s]+$/.test(user) ? [] : ['user must be a name without spaces'],
    passwordSha256 === undefined || /^[0-9a-f]{64}$/.test(passwordSha256)
      ? []
      : ['passwordSha256 must be 64 hexadecimal digits'],
  ].flat()
  if (faults.length > 0) throw new IdempotencyOptionsError(faults)
  const commands = [...CONNECT, ...CLUSTER, ...LOOK, ...RIGHTS[access]]
  return [
    `ACL SETUSER ${user} reset on`,
    ...(passwordSha256 === undefined ? [] : [`#${passwordSha256}`]),
    access === 'read' ? '%R~idem:*' : '~idem:*',
    access === 'console' ? 'resetchannels &__redis__:invalidate -@all' : 'resetchannels -@all',
    ...commands.map((command) => `+${command}`),
  ].join(' ')
}
