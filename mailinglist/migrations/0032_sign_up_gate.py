"""Limits of the sign-up forms. New tables only."""


import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('mailinglist', '0031_list_allowed_origins'),
    ]

    operations = [
        migrations.CreateModel(
            name='AskedAddress',
            fields=[
                ('key', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('mails', models.PositiveIntegerField()),
                ('last_at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('mails__gt', 0)), name='asked_address_was_asked')],
            },
        ),
        migrations.CreateModel(
            name='FormStep',
            fields=[
                ('list', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='form_step', serialize=False, to='mailinglist.mailinglist')),
                ('step', models.PositiveSmallIntegerField(choices=[(0, 'open'), (1, 'asks for a captcha'), (2, 'takes only so many an hour'), (3, 'closed for a while')], default=0)),
                ('since', models.DateTimeField()),
                ('until', models.DateTimeField()),
                ('counted_from', models.DateTimeField()),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('step__gt', 0)), fields=['until'], name='form_step_not_open')],
                'constraints': [models.CheckConstraint(condition=models.Q(('step__in', [0, 1, 2, 3])), name='form_step_known'), models.CheckConstraint(condition=models.Q(('until__gte', models.F('since'))), name='form_step_ends_after_it_began')],
            },
        ),
        migrations.CreateModel(
            name='SignUpCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scope', models.CharField(choices=[('network', 'network'), ('domain', 'recipient domain'), ('form', 'form'), ('captcha', 'captcha'), ('answer', 'answer')], max_length=10)),
                ('key', models.CharField(max_length=64)),
                ('since', models.DateTimeField()),
                ('asked', models.PositiveIntegerField()),
                ('passed', models.PositiveIntegerField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('scope', 'key', 'since'), name='one_count_per_time'), models.CheckConstraint(condition=models.Q(('passed__lte', models.F('asked'))), name='no_more_pass_than_ask')],
            },
        ),
    ]
