/** The parts of a snapshot in which what is not a member, or cannot be read, is listed: there is nothing of the kind. */
export const nothingElse = {
  unknownNodes: [],
  loosePods: [],
  unread: [],
  impostors: [],
  otherParts: [],
  mergedFrom: [],
} as const;
