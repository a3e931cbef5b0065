// What ImapFlow does for an application: node imapflow_session.js MODULES PORT USER PASSWORD.
// Writes a line of JSON for each step; waits in IDLE after the step "idle" for one new message.
'use strict';

const [modules, port, user, pass] = process.argv.slice(2);
const { ImapFlow } = require(`${modules}/imapflow`);

const tell = (step, value) => console.log(JSON.stringify({ step, value }));
const message = (subject, text) => Buffer.from(
    `Subject: ${subject}\r\nFrom: Ann <ann@example.org>\r\nMessage-ID: <${subject}@flow>\r\n` +
    `Content-Type: text/plain; charset=utf-8\r\n\r\n${text}\r\n`);

async function main() {
    const client = new ImapFlow({
        host: '127.0.0.1', port: Number(port), secure: false, auth: { user, pass },
        tls: { rejectUnauthorized: false }, logger: false,
    });
    await client.connect();
    tell('secure', client.secureConnection);
    tell('special', (await client.list()).map(each => each.specialUse).filter(Boolean).sort());
    await client.mailboxCreate('Projects');
    await client.append('INBOX', message('one', 'Größe der Rechnung'), ['\\Seen']);
    await client.append('INBOX', message('two', 'nothing of interest'));
    await client.append('INBOX', message('three', 'to be removed'));
    const lock = await client.getMailboxLock('INBOX');
    tell('exists', client.mailbox.exists);
    const found = await client.search({ body: 'GRÖSSE DER' }, { uid: true });
    tell('search', found.length);
    const one = await client.fetchOne(found[0], { envelope: true, source: true, flags: true,
                                                  bodyStructure: true }, { uid: true });
    tell('fetch', [one.envelope.subject, one.flags.has('\\Seen'), one.bodyStructure.type,
                   one.source.toString().includes('Rechnung')]);
    const part = await client.download(found[0], '1', { uid: true });
    let text = '';
    for await (const chunk of part.content) text += chunk.toString();
    tell('download', text.trim());
    await client.messageFlagsAdd(found, ['\\Flagged', 'Work'], { uid: true });
    const moved = await client.messageMove({ subject: 'two' }, 'Projects');
    tell('move', moved.uidMap.size);
    await client.messageDelete({ subject: 'three' });
    tell('status', (await client.status('Projects', { messages: true })).messages);
    const arrived = new Promise(resolve => client.once('exists', resolve));
    const idling = client.idle();  // until the next command
    tell('idle', null);
    tell('arrived', (await arrived).count);
    lock.release();
    await client.logout();
    await idling;
}

main().catch(error => {
    console.error(error);
    process.exit(1);
});
