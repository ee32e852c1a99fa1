"""Two more mails that belong to no campaign. The rows are checked against the new constraints beside the writers."""

from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models
from django.db.models import Q

_FITS, _CONTENT = "delivery_purpose_fits_campaign", "delivery_has_content"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("mailinglist", "0026_consent_of_before")]

    operations = [
        migrations.AlterField(
            model_name="delivery",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("campaign", "campaign"),
                    ("confirmation", "confirmation of a sign-up"),
                    ("test", "test mail"),
                    ("reminder", "reminder of a sign-up"),
                    ("data", "link to the person's data"),
                ],
                default="campaign",
                max_length=12,
            ),
        ),
        migrations.RemoveConstraint(model_name="delivery", name=_FITS),
        AddConstraintNotValid(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=Q(purpose="campaign", campaign__isnull=False)
                | Q(purpose__in=["confirmation", "test", "reminder", "data"], campaign__isnull=True),
                name=_FITS,
            ),
        ),
        ValidateConstraint(model_name="delivery", name=_FITS),
        migrations.RemoveConstraint(model_name="delivery", name=_CONTENT),
        AddConstraintNotValid(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=Q(purpose__in=["confirmation", "reminder", "data"]) | Q(version__isnull=False),
                name=_CONTENT,
            ),
        ),
        ValidateConstraint(model_name="delivery", name=_CONTENT),
    ]
