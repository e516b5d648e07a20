// Reads tokens as Agora's own package for Node.js does. Standard input: {"folder", "app_id", "certificate", "channel",
// "user", "token"}. Answers what the token says, and whether the package would have made the very same.
const path = require("node:path");

const asked = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const agora = require(path.join(asked.folder, "node_modules", "agora-access-token", "AccessToken.js"));
const crc32 = require(path.join(asked.folder, "node_modules", "crc-32"));

const read = new agora.AccessToken("", "", "", "");
const understood = read.fromString(asked.token);
const own = new agora.AccessToken(asked.app_id, asked.certificate, asked.channel, asked.user);
Object.assign(own, { salt: read.salt, ts: read.ts, messages: read.messages });
console.log(
  JSON.stringify({
    understood,
    app_id: asked.token.slice(3, 35),
    for_channel: read.crc_channel_name === crc32.str(asked.channel) >>> 0,
    for_user: read.crc_uid === crc32.str(asked.user) >>> 0,
    privileges: read.messages,
    the_same: own.build() === asked.token,
  }),
);
