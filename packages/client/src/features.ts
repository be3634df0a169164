// The features of a client. A bundle contains those that it imports from `@hawser/client/core`.
import type { Contract } from "@hawser/protocol"
import { topicNameFault } from "@hawser/protocol/core"
import { Streams } from "./calls/streams.ts"
import type {
  Feature,
  FeatureName,
  ReplicaMethods,
  StreamMethods,
  TopicReplicaMethods,
} from "./client-api.ts"
import { lacking } from "./feature.ts"
import type { FeatureMaker } from "./feature.ts"
import { Replicas } from "./replicas/replicas.ts"
import { Topics } from "./topics/topics.ts"
import { askFirst } from "./transport/ask-first.ts"
import { pageAsk } from "./transport/page-ask.ts"

/** The feature `topics`: `client.topic`, with presence, history and logs. */
export function topics(): Feature<"topics"> {
  return feature({
    name: "topics",
    install(host) {
      const { contract, running } = host
      const all = new Topics({
        ...host,
        topics: contract.topics,
        requests: () => running().requests,
        status: () => running().status,
        copies: () => host.hooks().copies,
      })
      const methods: TopicReplicaMethods<Contract> = {
        topic(name) {
          const topic = all.topic(name)
          if (topic === undefined)
            throw new TypeError(topicNameFault(name) ?? lacking(contract, "topics", name).message)
          return topic
        },
      }
      return {
        methods,
        copyOf: (topic, name) => all.copyOf(topic, name),
        onFrame: (frame) => all.receive(frame),
        onTopicEvent: (topic, event, delivered) => all.onDelivered(topic, event, delivered),
        onSession: (event) => all.onSession(event),
        onStatus: (status) => all.onStatus(status),
        onFresh: () => all.onFresh(),
      }
    },
  })
}

/** The feature `replicas`: `client.replica`. */
export function replicas(): Feature<"replicas"> {
  return feature({
    name: "replicas",
    install(host) {
      const { contract } = host
      const all = new Replicas({
        ...host,
        replicas: contract.replicas,
        copyOf: (topic, name) => host.hooks().copyOf(topic, name),
      })
      const methods: ReplicaMethods<Contract> = {
        replica(name) {
          const copy = all.get(name)
          if (copy === undefined) throw lacking(contract, "replicas", name)
          return copy
        },
      }
      return { methods, replicas: all, copies: all }
    },
  })
}

/** The feature `streams`: `client.stream`. */
export function streams(): Feature<"streams"> {
  return feature({
    name: "streams",
    install({ contract, limits, running, validateReplies }) {
      const specs = new Map(Object.entries(contract.streams))
      const all = new Streams({
        limits,
        requests: () => running().requests,
        session: () => running().session,
      })
      const methods: StreamMethods<Contract> = {
        stream(name, input, options = {}) {
          const spec = specs.get(name)
          if (spec === undefined) throw lacking(contract, "streams", name)
          return all.open({ name, item: validateReplies ? spec.item : undefined, input, options })
        },
      }
      return { methods, openStreams: () => all.openCount, onItem: (frame) => all.onItem(frame) }
    },
  })
}

/**
 * The feature `firefoxDials`: after three failed dials in a row, a dial asks by HTTP first, because Firefox delays each further
 * WebSocket by up to a minute. It has no effect in other browsers and with the option `dial`.
 */
export function firefoxDials(): Feature<"firefoxDials"> {
  return feature({
    name: "firefoxDials",
    install: ({ clock }) => ({
      methods: {},
      dialWith: (dial) => askFirst(dial, { clock, ask: pageAsk() }),
    }),
  })
}

/** Hides the function of a feature that only `createClient` calls. */
function feature<Name extends FeatureName>(maker: FeatureMaker<Name>): Feature<Name> {
  return maker
}
