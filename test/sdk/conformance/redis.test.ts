import { openRedisClusterHarness, openRedisHarness } from './redis-harness'
import { describeStore } from './suite'

describeStore('Redis, ioredis', openRedisHarness('ioredis'))
describeStore('Redis, node-redis', openRedisHarness('node-redis'))
describeStore('Redis cluster, ioredis', openRedisClusterHarness('ioredis'))
describeStore('Redis cluster, node-redis', openRedisClusterHarness('node-redis'))
