import { describeHistories } from './histories'
import { openRedisClusterHarness, openRedisHarness } from './redis-harness'

describeHistories('Redis', openRedisHarness('ioredis'))
describeHistories('Redis cluster', openRedisClusterHarness('node-redis'))
