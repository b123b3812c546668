import { redisAcl } from '@/sdk/stores/redis/acl'

/** The lines that an owner gives to redis-cli on each server: the keys of the SDK's store, and the commands that are used. */
export const nativeRedisGrants = (user: string): string =>
  [
    '# Choose the password.',
    redisAcl({ user, access: 'console' }),
    `ACL SETUSER ${user} ">choose-one"`,
    `# From 7.2 on also, so that reading does not count as use: ACL SETUSER ${user} +client|no-touch`,
    '',
  ].join('\n')
