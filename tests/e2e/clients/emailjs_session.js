// What emailjs-imap-client does for an application: node emailjs_session.js MODULES PORT USER
// PASSWORD. Writes a line of JSON for each step; waits in IDLE after the step "idle" for one message.
'use strict';

const [modules, port, user, pass] = process.argv.slice(2);
const ImapClient = require(`${modules}/emailjs-imap-client`).default;

const tell = (step, value) => console.log(JSON.stringify({ step, value }));
const message = (subject, text) =>
    `Subject: ${subject}\r\nFrom: Ann <ann@example.org>\r\n\r\n${text}\r\n`;

async function main() {
    const client = new ImapClient('127.0.0.1', Number(port), {
        auth: { user, pass }, ignoreTLS: true, useSecureTransport: false, logLevel: 1000,
    });
    client.onerror = error => { throw error; };
    await client.connect();
    const tree = await client.listMailboxes();
    tell('special', tree.children.map(each => each.specialUse).filter(Boolean).sort());
    await client.createMailbox('Letters');
    for (const [subject, text] of [['one', 'the invoice'], ['two', 'other'], ['three', 'gone']]) {
        await client.upload('INBOX', message(subject, text), { flags: ['\\Seen'] });
    }
    const box = await client.selectMailbox('INBOX');
    tell('exists', box.exists);
    const found = await client.search('INBOX', { body: 'invoice' }, { byUid: true });
    tell('search', found.length);
    const [one] = await client.listMessages('INBOX', `${found[0]}`,
                                            ['uid', 'flags', 'envelope', 'body.peek[]'],
                                            { byUid: true });
    tell('fetch', [one.envelope.subject, one.flags.includes('\\Seen'),
                   one['body[]'].includes('the invoice')]);
    await client.setFlags('INBOX', `${found[0]}`, { add: ['\\Flagged'] }, { byUid: true });
    const [two] = await client.search('INBOX', { header: ['subject', 'two'] }, { byUid: true });
    await client.moveMessages('INBOX', `${two}`, 'Letters', { byUid: true });
    const [three] = await client.search('INBOX', { header: ['subject', 'three'] }, { byUid: true });
    await client.deleteMessages('INBOX', `${three}`, { byUid: true });
    const arrived = new Promise(resolve => {
        client.onupdate = (path, type, value) => type === 'exists' && resolve(value);
    });
    tell('idle', null);
    tell('arrived', await arrived);
    await client.logout();
    await client.close();
    process.exit(0);
}

main().catch(error => {
    console.error(error);
    process.exit(1);
});
