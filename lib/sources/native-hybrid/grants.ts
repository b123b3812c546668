import { grantsForConsole } from '@/sdk/stores/grants'
import type { HybridConfig } from './config'

/** The console reads finished keys of the cache by their names, and changes nothing there. */
export function hybridGrants({ schema, prefix }: HybridConfig, role: string): string {
  const keys = `%R~${prefix.replaceAll(/[\\*?[\]"]/g, '\\$&')}*`
  return [
    grantsForConsole({ role, schema }),
    '-- And in the cache, with redis-cli; choose the password:',
    `-- ACL SETUSER ${role} reset on ">choose-one" "${keys}" resetchannels -@all +ping +select +client|setname +get`,
    '',
  ].join('\n')
}
