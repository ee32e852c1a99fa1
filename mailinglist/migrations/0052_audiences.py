"""Attributes, tags, segments, and whom a campaign leaves out."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import mailinglist.models.validators
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('mailinglist', '0051_people'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Attribute',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(help_text='The column of a file, and the merge tag: city is used as {{ city }}.', max_length=100, unique=True, validators=[mailinglist.models.validators.one_line], verbose_name='name in files and mails')),
                ('label', models.CharField(help_text='What managers see, for example: Town.', max_length=80, validators=[mailinglist.models.validators.one_line])),
                ('kind', models.CharField(choices=[('text', 'text'), ('number', 'number'), ('date', 'date'), ('yes-no', 'yes or no'), ('choice', 'one of several')], default='text', max_length=8)),
                ('choices', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), blank=True, db_default=[], default=list, size=None)),
            ],
            options={
                'ordering': ['label', 'pk'],
                'verbose_name': 'value of subscribers',
                'verbose_name_plural': 'values of subscribers',
            },
        ),
        migrations.CreateModel(
            name='Segment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120, unique=True, validators=[mailinglist.models.validators.one_line])),
                ('rules', models.JSONField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='SubscriberTag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
            ],
        ),
        migrations.CreateModel(
            name='Tag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, validators=[mailinglist.models.validators.one_line])),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.AddField(
            model_name='campaign',
            name='confirmed_about',
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddField(
            model_name='campaign',
            name='confirmed_for',
            field=models.PositiveIntegerField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='campaign',
            name='exclude_campaigns',
            field=models.ManyToManyField(blank=True, help_text='People who got one of these campaigns, or may still get it.', related_name='+', to='mailinglist.campaign', verbose_name='leave out who got'),
        ),
        migrations.AddField(
            model_name='campaign',
            name='exclude_lists',
            field=models.ManyToManyField(blank=True, related_name='+', to='mailinglist.mailinglist', verbose_name='leave out subscribers of'),
        ),
        migrations.AddField(
            model_name='campaign',
            name='follow_newcomers',
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddField(
            model_name='campaign',
            name='follows',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='followers', to='mailinglist.campaign'),
        ),
        migrations.AddField(
            model_name='mailinglist',
            name='stop_seconds',
            field=models.PositiveSmallIntegerField(db_default=0, default=0, help_text='Seconds between the confirmation of a campaign and its first mail, in which it can still be stopped. 0: mails leave at once.', validators=[django.core.validators.MaxValueValidator(3600)], verbose_name='time to stop'),
        ),
        migrations.AlterField(
            model_name='change',
            name='noun',
            field=models.CharField(choices=[('subscriber', 'subscriber'), ('subscription', 'subscription'), ('suppression', 'suppression'), ('campaign', 'campaign'), ('delivery', 'delivery'), ('list', 'list'), ('incident', 'incident'), ('template', 'template'), ('image', 'image'), ('manager', 'manager'), ('attribute', 'attribute'), ('tag', 'tag'), ('segment', 'segment')], max_length=14),
        ),
        migrations.AddConstraint(
            model_name='attribute',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('key', ''), _negated=True), models.Q(('label', ''), _negated=True)), name='attribute_has_names'),
        ),
        migrations.AddConstraint(
            model_name='attribute',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['text', 'number', 'date', 'yes-no', 'choice'])), name='attribute_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='attribute',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('choices__len__gt', 0), ('kind', 'choice')), models.Q(models.Q(('kind', 'choice'), _negated=True), ('choices', [])), _connector='OR'), name='only_choice_has_choices'),
        ),
        migrations.AddField(
            model_name='segment',
            name='created_by',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='campaign',
            name='exclude_segments',
            field=models.ManyToManyField(blank=True, related_name='+', to='mailinglist.segment', verbose_name='leave out people in'),
        ),
        migrations.AddField(
            model_name='campaign',
            name='include_segments',
            field=models.ManyToManyField(blank=True, help_text='Of the subscribers of the lists, those who are in one of these segments. None: all of them.', related_name='+', to='mailinglist.segment', verbose_name='only people in'),
        ),
        migrations.AddField(
            model_name='subscribertag',
            name='subscriber',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tag_rows', to='mailinglist.subscriber'),
        ),
        migrations.AddConstraint(
            model_name='tag',
            constraint=models.UniqueConstraint(django.db.models.functions.text.Lower('name'), name='one_tag_per_name'),
        ),
        migrations.AddConstraint(
            model_name='tag',
            constraint=models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='tag_has_name'),
        ),
        migrations.AddField(
            model_name='subscribertag',
            name='tag',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='mailinglist.tag'),
        ),
        migrations.AddField(
            model_name='campaign',
            name='exclude_tags',
            field=models.ManyToManyField(blank=True, related_name='+', to='mailinglist.tag', verbose_name='leave out people tagged'),
        ),
        migrations.AddConstraint(
            model_name='campaign',
            constraint=models.CheckConstraint(condition=models.Q(('confirmed_for__isnull', True), models.Q(('planned_at__isnull', True), ('status', 'scheduled')), _connector='OR'), name='confirmed_campaign_can_be_stopped'),
        ),
        migrations.AddConstraint(
            model_name='campaign',
            constraint=models.CheckConstraint(condition=models.Q(('follow_newcomers', False), ('follows__isnull', False), _connector='OR'), name='newcomers_since_another'),
        ),
        migrations.AddConstraint(
            model_name='segment',
            constraint=models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='segment_has_name'),
        ),
        migrations.AddIndex(
            model_name='subscribertag',
            index=models.Index(fields=['tag', 'subscriber'], name='subscriber_tag_by_tag'),
        ),
        migrations.AddConstraint(
            model_name='subscribertag',
            constraint=models.UniqueConstraint(fields=('subscriber', 'tag'), name='one_row_per_person_and_tag'),
        ),
    ]
